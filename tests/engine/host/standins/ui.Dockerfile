FROM node:22-alpine
ARG PORT NAME
COPY ui.js /srv/ui.js
ENV PORT=$PORT NAME=$NAME
EXPOSE $PORT
ENTRYPOINT []
CMD ["node", "/srv/ui.js"]
