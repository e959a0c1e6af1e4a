"""What screens share: session, wording, charts and components."""
