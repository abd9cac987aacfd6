"""From a claimed finding to a decision and a plan: SCC's word, what is read, who is suspect, what to write."""
