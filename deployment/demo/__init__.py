"""The demo: each sample's story, played over HTTP against real servers."""
