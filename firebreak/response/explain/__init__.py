"""The decision on a finding without any write."""
