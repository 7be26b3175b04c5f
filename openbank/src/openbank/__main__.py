"""`python -m openbank` serves the bank."""

from neuroglia.hosting import run
from openbank.main import create_app
from openbank.settings import OpenBankSettings

if __name__ == "__main__":
    run(create_app, OpenBankSettings)
