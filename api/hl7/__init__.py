"""HL7 version 2 over MLLP: appointments go out to hospital systems; referrals, states and patients' names come in.

- :mod:`api.hl7.codec`, :mod:`api.hl7.charsets` and :mod:`api.hl7.times` read and write messages; they know no meaning.
- :mod:`api.hl7.frames`, :mod:`api.hl7.server` and :mod:`api.hl7.client` carry them; :mod:`api.hl7.acks` answers them.
- :mod:`api.hl7.appointments` and :mod:`api.hl7.siu` make what goes out, :mod:`api.hl7.readings` reads what comes in.
- :mod:`api.hl7.partners` is the file of partners.
- :mod:`api.hl7.outbox` and :mod:`api.hl7.sender` send; :mod:`api.hl7.inbox`, :mod:`api.hl7.worker` and
  :mod:`api.hl7.incoming` take in; :mod:`api.hl7.process` runs them.
"""
