# SecantusDB with mongod's ways: its port, its folder and its word that it is ready. Its options are not looked at.
set -e
settings=$(mktemp)
secantusd-py --config "$settings" --host 0.0.0.0 --port 27017 --storage-path /data/db \
  --cache-size 128M --log-level INFO --sync-on-commit 2>&1 | sed -u 's/.*listening on.*/&: Waiting for connections/'
