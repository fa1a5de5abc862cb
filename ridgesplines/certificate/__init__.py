"""The proof: dual vectors, and the certificate made from one. No solver is run here."""

from ridgesplines.certificate.certificate import DualCertificate, ShapeMultipliers, certify, strengthened

__all__ = ["DualCertificate", "ShapeMultipliers", "certify", "strengthened"]
