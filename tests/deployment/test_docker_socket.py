"""Who can reach Docker's socket is root on its machine: nothing that we ship mounts it, or needs it by default."""

from pathlib import Path

from desktop_controller.settings import DesktopControllerSettings

ROOT = Path(__file__).parents[2]


def test_the_executor_that_needs_the_socket_is_not_the_default() -> None:
    assert DesktopControllerSettings.model_fields["host_executor_url"].default == "local://"


def test_no_image_and_no_compose_file_mounts_the_socket() -> None:
    shipped = [*ROOT.glob("*/Dockerfile"), *ROOT.glob("*compose*"), *ROOT.glob("deployment/**/*")]
    named = {file.relative_to(ROOT).as_posix() for file in shipped if file.is_file() and b"docker.sock" in read(file)}

    assert "desktop-controller/Dockerfile" in {file.relative_to(ROOT).as_posix() for file in shipped}
    assert named == set()


def test_the_page_says_what_the_socket_is() -> None:
    page = " ".join((ROOT / "desktop-controller/README.md").read_text().split())

    assert "whoever can reach Docker's socket is root on its machine, so it is not the default" in page


def read(file: Path) -> bytes:
    return file.read_bytes()
