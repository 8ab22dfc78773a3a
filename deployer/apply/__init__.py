"""Runs a plan: staged, wave by wave, recorded on every host, under the site lock."""
