FROM invoke-stack-standin/trixie
# What the packages' own scripts would have made: nothing of them has run.
RUN cp /usr/share/base-passwd/passwd.master /etc/passwd && cp /usr/share/base-passwd/group.master /etc/group \
 && ln -s /usr/share/zoneinfo/Etc/UTC /etc/localtime && rm -rf /var/run && ln -s /run /var/run && ldconfig \
 && echo 'postgres:x:999:999::/var/lib/postgresql:/bin/bash' >>/etc/passwd && echo 'postgres:x:999:' >>/etc/group \
 && install -d -o postgres -g postgres -m 3777 /run/postgresql \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql /var/lib/postgresql/data \
 && mkdir /docker-entrypoint-initdb.d
COPY --chmod=755 postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
RUN sed -i "s|^#\?listen_addresses = .*|listen_addresses = '*'|" /usr/share/postgresql/17/postgresql.conf.sample
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
