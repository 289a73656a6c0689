# The image of the service. tests/contract/test_image.py runs the build stage's steps, as they stand
# here, outside Docker; what is changed here is tested there.

# A full version, so that a build today and one next month differ by a reviewed line only.
FROM python:3.13.12-slim-trixie AS python


FROM python AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/chancery
# The dependencies come first, so that a change of ours doesn't fetch them again.
COPY requirements.lock ./
RUN /opt/chancery/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN /opt/chancery/bin/pip install --no-deps --no-build-isolation .
# What only builds and installs has no business in a running service.
RUN /opt/chancery/bin/pip uninstall --yes editables hatchling pathspec pluggy trove-classifiers
RUN /opt/chancery/bin/pip uninstall --yes pip


FROM python
# The number is fixed, because files on a volume belong to numbers and not to names.
RUN groupadd --gid 10001 chancery \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin chancery \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/chancery
COPY --from=build /opt/chancery /opt/chancery
# Without CHANCERY_DATABASE_URL the service runs a PostgreSQL of its own, and keeps its data here.
ENV PATH=/opt/chancery/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CHANCERY_DATA_DIR=/var/lib/chancery
WORKDIR /var/lib/chancery
USER 10001:10001
EXPOSE 8000
# The image has no curl. A proxy that is meant for other hosts must not be asked for this one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["chancery", "serve", "--host", "0.0.0.0"]
