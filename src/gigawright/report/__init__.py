"""What a plan looks like to its readers: `write_report(results, folder)`."""

from gigawright.report.write import write_report

__all__ = ["write_report"]
