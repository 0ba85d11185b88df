"""The file of partners that tests exchange messages with."""

from __future__ import annotations

import json
from pathlib import Path

from api.hl7.partners import Partner, Partners

WHOLE = """
[listen]
host = "127.0.0.1"
port = 0

[partners.hospital]
owner = "clinicweave"
timezone = "America/New_York"
authority = "HOSPITAL"

[partners.hospital.hl7]
application = "EHR"
facility = "HOSPITAL"

[partners.hospital.hl7.send]
host = "127.0.0.1"
port = 6661

[partners.hospital.hl7.receive]
addresses = ["127.0.0.1", "::1/128"]

[partners.hospital.services]
follow-up = "1301"

[partners.hospital.kinds]
"24725-4" = "new-patient-chronic"
"""


def partners(folder: Path, *changes: tuple[str, str]) -> Partners:
    """Return the partners of the file with some of its text changed. Raises ``InvalidFile``."""
    text = WHOLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file = folder / "partners.toml"
    file.write_text(text, encoding="utf-8")
    return Partners.read(file)


def partner(version: str = "2.5.1", **hl7: object) -> Partner:
    """Return a hospital that speaks a version; ``hl7`` changes how."""
    document = {
        "timezone": "America/New_York",
        "authority": "HOSPITAL",
        "services": {"follow-up": "1301"},
        "kinds": {"24725-4": "new-patient-chronic"},
        "hl7": {"application": "EHR", "facility": "HOSPITAL", "version": version, **hl7},
    }
    return Partner.model_validate_json(json.dumps(document))
