"""Changes to policy files that leave everything else in them as it stands, comments too."""
