"""The proof: dual vectors, and the certificate made from one. No solver is run here."""

from ridgesplines.certificate.certificate import DualCertificate, certify, strengthened
from ridgesplines.certificate.multipliers import MonotoneMultipliers, ShapeMultipliers

__all__ = ["DualCertificate", "MonotoneMultipliers", "ShapeMultipliers", "certify", "strengthened"]
