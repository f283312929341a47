FROM invoke-stack-standin/base
COPY --chmod=755 redis-entrypoint /usr/local/bin/docker-entrypoint.sh
RUN install -d -o redis -g redis /data
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
