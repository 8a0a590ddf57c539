from siphon.tasks import *  # noqa: F403
