"""Importing a module does nothing: no server, no connection, no thread, no process, no file that is written."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

PACKAGES = ("neuroglia", "openbank", "desktop_controller", "api_gateway", "deployment")
WATCHED = """
import importlib, os, pkgutil, sys, threading
import asyncssh  # it asks ldconfig for a library

DONE = {"socket.bind", "socket.connect", "sqlite3.connect", "subprocess.Popen", "os.posix_spawn", "os.fork",
        "_thread.start_new_thread", "os.mkdir", "os.remove", "os.rename", "signal.pthread_kill"}

def watch(event, arguments):
    if event in DONE or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        ours = [frame for frame in iter_frames() if "/src/" in frame or "/deployment/" in frame]
        raise RuntimeError(f"{event}{arguments} at import: {ours[:1]}")

def iter_frames():
    frame = sys._getframe(2)
    while frame:
        yield frame.f_code.co_filename
        frame = frame.f_back

sys.dont_write_bytecode = True
sys.addaudithook(watch)
names = []
for package in sys.argv[1:]:
    module = importlib.import_module(package)
    names += [found.name for found in pkgutil.walk_packages(module.__path__, package + ".")]
for name in names:
    importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
print(len(names))
"""


@pytest.mark.integration
def test_importing_every_module_does_nothing_to_the_world(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", WATCHED, *PACKAGES]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root)}
    imported = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert (imported.returncode, imported.stderr) == (0, "")
    assert int(imported.stdout) > 150
    assert list(tmp_path.iterdir()) == []
