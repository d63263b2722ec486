"""The verification service (核验): departments hand in documents, and get a report and a signed receipt.

    from verify_api.service import VerificationService
    from verify_api.http import create_app

    service = VerificationService(url="https://verify.example.gov", database=database, journal=journal, …)
    app = create_app(service, install_problems=problems.install)

A department uses `verify_api.client.Client`. Each room is imported by who needs it.
"""
