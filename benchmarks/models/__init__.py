"""Every candidate on public data by `benchmarks/protocol.yaml`: figures with intervals beside the majority line."""
