# The operator alone in a distroless image. Pods override nothing but the arguments (see charts/seatkeeper).
FROM rust:1.95-slim-bookworm AS build
# aws-lc-sys compiles C: the slim image has gcc, it needs no cmake and no OpenSSL.
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package seatkeeper --bin seatkeeper \
    && cp target/release/seatkeeper /seatkeeper

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /seatkeeper /usr/local/bin/seatkeeper
# By number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/seatkeeper"]
CMD ["run"]
