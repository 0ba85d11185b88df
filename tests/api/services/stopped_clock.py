"""The service on a free port, by a clock that stands still: ``stopped_clock.py URL SECRET INSTANT``."""

import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

import uvicorn

from api.context import create_context
from api.http.app import create_app
from api.runtime.settings import Settings

if __name__ == "__main__":
    url, secret, instant = sys.argv[1:]
    now = datetime.fromisoformat(instant)
    context = create_context(Settings(database_url=url, secret=secret), clock=lambda: now)
    uvicorn.run(create_app(context), host="127.0.0.1", port=0, access_log=False)
