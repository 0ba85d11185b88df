"""Gets in by SMART Backend Services with cumulus-fhir-support: ``BASE CLIENT < keys.json``; tells how many appointments are."""

import asyncio
import json
import sys

from cumulus_fhir_support import FhirClient


async def main() -> None:
    base, client = sys.argv[1:]
    async with FhirClient(base, ["Appointment"], smart_client_id=client, smart_jwks=json.load(sys.stdin)) as server:
        answer = await server.request("GET", "Appointment?_count=1")
        sys.stdout.write(f"{answer.json()['total']}\n")


asyncio.run(main())
