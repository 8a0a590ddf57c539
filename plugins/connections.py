"""How each thread's connection reads the database."""

from datasette import hookimpl

from siphon.mapped import mapped
from siphon.web import NAME


@hookimpl
def prepare_connection(conn, database):
    if database == NAME:
        mapped(conn)
