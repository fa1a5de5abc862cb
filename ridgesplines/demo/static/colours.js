// Colours for numbers, which colour-blind people tell apart: they differ in lightness, or are blue against orange.

const RAMPS = {
  values: [[14, 36, 86], [72, 88, 122], [128, 126, 120], [186, 166, 92], [250, 226, 72]],
  signs: {
    light: [[179, 88, 6], [241, 163, 64], [247, 246, 243], [116, 173, 220], [8, 81, 156]],
    dark: [[214, 126, 40], [132, 76, 20], [24, 29, 36], [28, 82, 138], [72, 152, 228]],
  },
};
export const VIOLATION = [240, 228, 66];

export function theme() {
  return document.documentElement.dataset.theme;
}

/** The colours of a ramp; `signs` has zero in the middle. */
export function stopsOf(ramp) {
  return ramp === "signs" ? RAMPS.signs[theme()] : RAMPS.values;
}

/** The colour of a share between 0 and 1. */
export function colour(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const at = Math.min(Math.floor(place), stops.length - 2);
  return stops[at].map((value, i) => Math.round(value + (stops[at + 1][i] - value) * (place - at)));
}

export const css = (rgb) => `rgb(${rgb.join(",")})`;
