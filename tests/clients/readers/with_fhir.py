"""Validates FHIR resources with Pyrofile and fhir.resources, a line of JSON for each: ``DEFINITIONS PROFILES IHE FILE ...``.

DEFINITIONS is the folder of the release's own definitions, PROFILES that of ours, IHE that of IHE's, which are XML. Displays of
version 2's tables are left out: they say "default if not valued" where everybody says "Routine appointment".
"""

import json
import re
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from fhir.resources.R4B import get_fhir_model_class
from pyrofile_validator import Validator
from pyrofile_validator.config import ValidatorConfig

BUNDLES = ("profiles-resources", "profiles-types", "valuesets", "v3-codesystems")
KINDS = ("StructureDefinition", "CodeSystem", "ValueSet")


def write_package(folder, definitions, ihe):
    """Write each definition as a file of its own, as Pyrofile reads them."""
    for name in BUNDLES:
        bundle = json.loads((definitions / f"{name}.json").read_text(encoding="utf-8"))
        for number, entry in enumerate(bundle["entry"]):
            if entry["resource"]["resourceType"] in KINDS:
                entry["resource"].pop("text", None)
                (folder / f"{name}-{number}.json").write_text(json.dumps(entry["resource"]))
    for file in ihe.glob("*.xml"):
        content = file.read_bytes()
        kind = re.search(rb"<(\w+) xmlns", content)[1].decode()
        (folder / f"{file.stem}.json").write_text(get_fhir_model_class(kind).model_validate_xml(content).model_dump_json())


def list_pyrofile_errors(validator, text):
    with redirect_stdout(sys.stderr):  # it traces what it evaluates
        report = validator.validate_resource(json.loads(text))
    return [f"{issue.code} {issue.path}: {issue.message}" for issue in report.errors]


def list_model_errors(text):
    try:
        get_fhir_model_class(json.loads(text)["resourceType"]).model_validate_json(text)
    except ValueError as error:
        return [str(error)]
    return []


definitions, profiles, ihe, *files = map(Path, sys.argv[1:])
with tempfile.TemporaryDirectory() as made:
    write_package(Path(made), definitions, ihe)
    config = {"fhirVersion": "4.0.1", "terminology": {"mode": "local"}, "localPackagePaths": [made, str(profiles)]}
    validator = Validator(ValidatorConfig.load_dict(config))
for file in files:
    text = file.read_text(encoding="utf-8")
    print(json.dumps({"pyrofile": list_pyrofile_errors(validator, text), "fhir.resources": list_model_errors(text)}))
