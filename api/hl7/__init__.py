"""HL7 version 2 over MLLP: appointments go out to hospital systems, referrals, states and patients' names come in.

- :mod:`api.hl7.codec`, :mod:`api.hl7.charsets` and :mod:`api.hl7.times` read and write messages; they know no meaning.
"""
