"""The embedded database file that both embedded stores stand on."""

from neuroglia.sqlite.database import Database as Database
