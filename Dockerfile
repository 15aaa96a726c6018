# The operator alone in a distroless image. Pods override nothing but the arguments (see charts/seatkeeper).
# Bases by digest of their index of platforms; renovate.json asks for newer ones. docs/release.md says how they were checked.
FROM rust:1.95-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS build
# aws-lc-sys compiles C: the slim image has gcc, it needs no cmake and no OpenSSL.
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package seatkeeper --bin seatkeeper \
    && cp target/release/seatkeeper /seatkeeper

FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
COPY --from=build /seatkeeper /usr/local/bin/seatkeeper
# By number, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/seatkeeper"]
CMD ["run"]
