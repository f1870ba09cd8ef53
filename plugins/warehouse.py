"""Pages of the warehouse in Airflow: nights, reports, expected and arrived, findings, work lists, approvals, at /warehouse.

Every process of Airflow reads this file; the pages are imported by the first request for one.
"""

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/warehouse"


async def pages(scope, receive, send) -> None:
    from include.pages.app import app

    await app(scope, receive, send)


class WarehousePlugin(AirflowPlugin):
    name = "warehouse"
    fastapi_apps: ClassVar = [{"app": pages, "url_prefix": PREFIX, "name": "Warehouse"}]
    # not in a frame: Airflow's frames let no link out, and these pages lead back to its tasks and approvals
    external_views: ClassVar = [{"name": "Warehouse", "href": f"{PREFIX}/", "destination": "nav"}]
