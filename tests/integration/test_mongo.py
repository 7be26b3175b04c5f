"""OpenBank over MongoDB: its whole story, a restart among it, with nothing changed but the URL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mongo import MongoServer

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


def test_given_mongodb_as_document_store_when_the_story_is_played_then_every_answer_is_as_promised(
    mongo: MongoServer, tmp_path: Path
) -> None:
    environment = {**os.environ, "DOCUMENT_STORE_URL": mongo.url(tmp_path), "TMPDIR": str(tmp_path)}

    story = subprocess.run(
        [sys.executable, "-m", "deployment.demo"], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert story.returncode == 0, story.stdout + story.stderr
    assert not list(tmp_path.rglob("documents.db"))
