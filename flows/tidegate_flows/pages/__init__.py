"""Pages for people: one file each, without scripts, and without a request to anywhere."""
