"""Drives a Thunderbird by Marionette: ``drive_thunderbird.py PORT``.

Each line in is a call, ``{"call": …, "args": […]}`` of a function of thunderbird.js, which runs with the rights of Thunderbird
itself; each line out is what it gave, ``{"value": …}``, or ``{"error": …}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette

LIMIT_SECONDS = 60

functions = Path(__file__).with_name("thunderbird.js").read_text()
marionette = Marionette(host="127.0.0.1", port=int(sys.argv[1]), startup_timeout=LIMIT_SECONDS)
marionette.start_session()
marionette.set_context(Marionette.CONTEXT_CHROME)
marionette.timeout.script = LIMIT_SECONDS
for line in sys.stdin:
    asked = json.loads(line)
    script = f"{functions}\nreturn {asked['call']}(...arguments);"
    try:
        answer = {"value": marionette.execute_script(script, asked["args"], sandbox="system")}
    except MarionetteException as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
