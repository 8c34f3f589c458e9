"""What happens: intake, gate, ledger, publishing, Prefect flows and the command line."""
