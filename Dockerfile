# Airflow with the warehouse's code and the packages of the lock file, every one checked against its hash.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/opt/kaw \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/kaw/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/kaw/plugins \
    KAW_HOME=/state \
    DBT_TARGET_PATH=/state/dbt/target \
    DBT_LOG_PATH=/state/dbt/logs

COPY requirements.lock /opt/kaw/requirements.lock
RUN pip install --no-cache-dir --no-deps --require-hashes -r /opt/kaw/requirements.lock

# Volumes take over the owner of the folders they are mounted on.
RUN groupadd --gid 10001 kaw \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /opt/airflow --shell /usr/sbin/nologin kaw \
    && install --directory --owner=kaw --group=kaw --mode=0750 /opt/airflow /opt/airflow/logs /state

COPY . /opt/kaw
WORKDIR /opt/kaw
USER 10001:10001

CMD ["airflow", "version"]
