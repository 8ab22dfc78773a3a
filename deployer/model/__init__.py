"""The frozen vocabulary of every stage: hosts, files, units, facts, steps. No code here reaches anything."""
