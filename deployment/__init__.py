"""What runs the samples: the demo, and later images and compose fragments."""
