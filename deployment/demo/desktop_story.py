"""The Desktop Controller's story: what may be run, what is refused, what takes too long, and who did it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from deployment.demo.narrator import Difference, Narrator
from deployment.issuer.process import RunningIssuer
from deployment.processes import serving, until

API: Final = "/api/v1"
IN_TIME: Final = {"Prefer": "wait=10"}
_LIMIT_S: Final = 10.0
_CATALOGUE: Final = """
[commands.back-up]
description = "Says how far it is"
argv = ["sh", "-c", "for step in 1 2 3; do echo step $step of 3; sleep 0.3; done"]
timeout_seconds = 10

[commands.greet]
description = "Greets somebody"
argv = ["echo", "Hello,", "{name}"]
timeout_seconds = 5
[commands.greet.parameters.name]
type = "text"
pattern = "[^\\n]+"

[commands.hang]
description = "Starts a process of its own, and never ends"
argv = ["sh", "-c", "sleep 300 & echo $!; wait"]
timeout_seconds = 1

[commands.lock]
description = "Locks the screen"
argv = ["touch", "FOLDER/locked"]
timeout_seconds = 5

[commands.unlock]
description = "Unlocks it"
argv = ["rm", "FOLDER/locked"]
timeout_seconds = 5
"""


def play(narrator: Narrator, folder: Path, running: ExitStack, issuer: RunningIssuer) -> None:
    """Plays the story. The server that it starts over `folder` ends with `running`.

    Raises:
        Difference: an answer was not the promised one.
    """
    folder.mkdir()
    catalogue = folder / "commands.toml"
    catalogue.write_text(_CATALOGUE.replace("FOLDER", str(folder)))
    server = running.enter_context(
        serving(
            "desktop_controller", folder, COMMANDS_FILE=str(catalogue), OAUTH2_ISSUER=issuer.url,
            EVENT_STORE_URL="sqlite:///{DATA_DIR}/events.db",  # stores of its own, wherever the bank has its own
            DOCUMENT_STORE_URL="sqlite:///{DATA_DIR}/documents.db",
        )
    )  # fmt: skip
    narrator.connect(server.url)
    narrator.title("Desktop Controller: commands that are allowed, and no others")
    narrator.say(f"The controller runs at {server.url} (process {server.process.pid}), on this very host.")
    narrator.sign_in(issuer.token("administrator"))
    _see_the_catalogue(narrator)
    _run_with_live_output(narrator)
    _refuse(narrator, issuer)
    _end_what_hangs(narrator)
    _lock_and_unlock(narrator, folder)
    _keep_a_file(narrator)
    _read_the_audit_trail(narrator)


def _run(narrator: Narrator, status: int, command: str, show: str, **arguments: str) -> dict[str, Any]:
    body = {"command": command, "arguments": arguments}
    answer = narrator.ask("POST", f"{API}/commands", status, body=body, headers=IN_TIME, show=show)
    return dict(answer.json())


def _see_the_catalogue(narrator: Narrator) -> None:
    narrator.chapter("What may be run", "A file on the host says so. No request can add to it.")
    found = narrator.ask("GET", f"{API}/commands/catalogue", 200).json()
    rows = [
        [one["name"], one["description"], one["sha256"][:12], f"{one['timeout_seconds']:g} s"] for one in found["items"]
    ]
    narrator.table(["command", "description", "digest", "time"], rows)


def _run_with_live_output(narrator: Narrator) -> None:
    narrator.chapter("A command is run, and its output comes while it is written", "202 says that it is accepted.")
    body = {"command": "back-up", "justification": "before the update"}
    begun = narrator.ask("POST", f"{API}/commands", 202, body=body, show="command {id}: {status}")
    path = begun.headers["location"]
    heard = "".join(narrator.listen(f"{path}/output"))
    if heard != "step 1 of 3\nstep 2 of 3\nstep 3 of 3\n":
        raise Difference(f"the live output was {heard!r}")
    narrator.ask("GET", path, 200, show="{status}, exit code {exit_code}", expect={"status": "succeeded"})


def _refuse(narrator: Narrator, issuer: RunningIssuer) -> None:
    narrator.chapter(
        "What is not allowed does not run",
        "There is no shell: what a caller sends reaches the program as one argument.",
    )
    name = "$(reboot); rm -rf /"
    done = _run(narrator, 200, "greet", "{status}: {stdout}", name=name)
    if done["stdout"] != f"Hello, {name}\n":
        raise Difference(f"the program was told {done['stdout']!r}")
    _run(narrator, 422, "greet", "an argument that the catalogue does not know", names="Ada")
    _run(narrator, 422, "reboot", "a command that the catalogue does not know")
    narrator.sign_in(issuer.token("helper"))
    _run(narrator, 403, "greet", "{detail}", name="Ada")
    narrator.sign_in(issuer.token("administrator"))


def _end_what_hangs(narrator: Narrator) -> None:
    narrator.chapter("A command that hangs is ended", "With all that it has started: no process is left behind.")
    ended = _run(narrator, 200, "hang", "{status} after its second")
    if ended["status"] != "timed_out":
        raise Difference(f"the command that hangs is {ended['status']}")
    child = int(ended["stdout"])
    until(lambda: not Path(f"/proc/{child}").exists(), "its child to be gone", _LIMIT_S)
    narrator.say(f"Process {child}, which it had started, is gone.")


def _lock_and_unlock(narrator: Narrator, folder: Path) -> None:
    narrator.chapter("The screen is locked and unlocked", "The host's state changes when the command for it succeeded.")
    narrator.ask("POST", f"{API}/host/lock", 200, show="the host is {state}", expect={"is_locked": True})
    if not (folder / "locked").exists():
        raise Difference("nothing was locked")
    narrator.ask("POST", f"{API}/host/unlock", 200, show="the host is {state}", expect={"is_locked": False})


def _keep_a_file(narrator: Narrator) -> None:
    narrator.chapter("A file is written and read", "Below one folder of the host, and nowhere else.")
    narrator.ask("PUT", f"{API}/files/notes/today.txt", 200, content=b"All is well.\n")
    read = narrator.ask("GET", f"{API}/files/notes/today.txt", 200)
    if read.content != b"All is well.\n":
        raise Difference(f"the file holds {read.content!r}")
    narrator.ask("GET", f"{API}/files/..%2F..%2Fcommands.toml", 422, show="what lies outside is not there")


def _read_the_audit_trail(narrator: Narrator) -> None:
    narrator.chapter("Who did what", "Every step of a command is an event, which nobody can change afterwards.")
    last = narrator.ask("GET", f"{API}/commands?command=hang", 200).json()["items"][0]
    stream = f"{API}/operations/events?stream=host_command-{last['id']}"
    events = narrator.ask("GET", stream, 200).json()["items"]
    narrator.table(
        ["event", "on behalf of", "at", "revision"],
        [[one["type"], one["actor"], one["recorded_at"][:19], str(one["revision"])] for one in events],
    )
    if [one["actor"] for one in events][:1] != ["administrator"]:
        raise Difference("the audit trail does not say who asked")
