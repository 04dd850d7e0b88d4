# The connector's image for the Flow runtime. Build: docker build -t swift-tds-connector .
FROM swift:6.3-bookworm AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libssl-dev zlib1g-dev pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product connector --static-swift-stdlib && cp "$(swift build -c release --static-swift-stdlib --show-bin-path)/connector" /connector

FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libssl3 zlib1g ca-certificates tzdata && rm -rf /var/lib/apt/lists/*
COPY --from=build /connector /connector
USER nobody
LABEL FLOW_RUNTIME_PROTOCOL=capture
LABEL CONNECTOR_PROTOCOL=flow-capture
# The protobuf codec isn't there yet: the runtime speaks JSON lines with it.
LABEL FLOW_RUNTIME_CODEC=json
ENV FLOW_RUNTIME_CODEC=json
ENTRYPOINT ["/connector"]
