"""What is promised: contracts, the batches they speak of, and the violations they find."""
