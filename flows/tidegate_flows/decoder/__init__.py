"""What reads untrusted bytes, in a process that imports pyarrow and the standard library and nothing else of ours."""
