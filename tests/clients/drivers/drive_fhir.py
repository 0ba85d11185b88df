"""Reads, searches and finds with a client library: ``LIBRARY BASE TOKEN < parameters.json``; prints what it saw as JSON."""

import json
import sys

from fhirclient.client import FHIRClient
from fhirclient.models.appointment import Appointment
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirpy import SyncFHIRClient


def with_fhirpy(base, token, parameters):
    client = SyncFHIRClient(base, authorization=f"Bearer {token}")
    ids = [found.id for found in client.resources("Appointment").limit(20)]
    found = client.execute("Appointment/$find", "POST", data=parameters)
    return {
        "version": client.execute("metadata", "GET")["fhirVersion"],
        "ids": ids,
        "read": client.reference("Appointment", ids[0]).to_resource().id,
        "proposed": [entry["resource"]["status"] for entry in found["entry"]],
    }


def with_fhirclient(base, token, parameters):
    client = FHIRClient(settings={"app_id": "test", "api_base": base})
    server = client.server
    server.session.headers["Authorization"] = f"Bearer {token}"
    said = CapabilityStatement(server.request_json("metadata"))
    found = Bundle(server.post_json("Appointment/$find", parameters).json())
    return {
        "version": said.fhirVersion,
        "ids": (ids := [found.id for found in Appointment.where({"_count": "20"}).perform_resources_iter(server)]),
        "read": Appointment.read(ids[0], server).id,
        "proposed": [entry.resource.status for entry in found.entry],
    }


library, base, token = sys.argv[1:]
see = {"fhirpy": with_fhirpy, "fhirclient": with_fhirclient}[library]
sys.stdout.write(json.dumps(see(base, token, json.load(sys.stdin))))
