"""The live page of the lecture: ``python -m ridgesplines demo``.

Data move one way here too: a request is read and bounded (`schema`), computed in another process (`worker`, `fits`,
`race`), and answered by the standard library's server (`server`) to the page in ``static/``.
"""

from ridgesplines.demo.server import Demo, serve

__all__ = ["Demo", "serve"]
