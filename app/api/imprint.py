"""What the service says of itself wherever its answers go: what it is, and under which terms."""

SUMMARY = "A sourced register of diplomatic designation changes"
SOFTWARE = "The software is under the MIT licence."
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
REGISTER = (
    f"The register's own words are under CC BY 4.0 ({LICENCE}); "
    "its quotations remain their publishers'."
)
