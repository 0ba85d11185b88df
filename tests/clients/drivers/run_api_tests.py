"""Runs Pyrofile's pack of rules that every R4 server keeps: ``BASE TOKEN TYPE ID VERSION``; prints each outcome as JSON."""

import json
import sys

from pyrofile_validator import ApiTestOptions, load_builtin_api_test_plan, run_api_tests

base, token, kind, identifier, version = sys.argv[1:]
options = ApiTestOptions(
    inputs={"resourceType": kind, "resourceId": identifier, "versionId": version},
    auth=lambda: {"Authorization": f"Bearer {token}"},
)
report = run_api_tests(base, load_builtin_api_test_plan("base-r4"), options=options)
sys.stdout.write("\n" + json.dumps({result.id: result.status for result in report.scenarios}))
