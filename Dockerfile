# Two stages: the build, and a small Debian with driftgate, OpenSSL and the certificate store. No shell is needed at run time.
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake pkg-config libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# ARM kernels may use 16 or 64 KiB pages.
ENV JEMALLOC_SYS_WITH_LG_PAGE=16
RUN cargo build --profile dist --locked && cp target/dist/driftgate /driftgate

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 ca-certificates && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 /var/lib/driftgate /run/demo
COPY --from=build /driftgate /usr/local/bin/driftgate
COPY config/container.yaml /etc/driftgate/driftgate.yaml
USER 10001:10001
VOLUME /var/lib/driftgate
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s CMD ["/usr/local/bin/driftgate", "status", "--ready"]
ENTRYPOINT ["/usr/local/bin/driftgate"]
CMD ["run", "--config", "/etc/driftgate/driftgate.yaml"]
