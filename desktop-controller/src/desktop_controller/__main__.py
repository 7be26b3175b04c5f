"""`python -m desktop_controller` serves the controller."""

from desktop_controller.main import create_app
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.hosting import run

if __name__ == "__main__":
    run(create_app, DesktopControllerSettings)
