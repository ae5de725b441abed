import type { OperationRow } from '../functions/shared/domain.ts'
import {
  gatewayProblemBody,
  gatewayProblems,
  type GatewayProblemName,
} from '../functions/shared/http/gateway-problems.ts'
import { corsExposedHeaders, corsRequestHeaders, preflightSeconds } from '../functions/shared/http/cors.ts'
import { hostPattern } from '../functions/shared/http/host.ts'
import { maxTracestate, proxyHeaders } from '../functions/shared/http/proxy-headers.ts'
import { operations } from '../functions/table.ts'

/**
 * Returns the gateway's Caddyfile, which maps methods and paths to functions.
 * @param where in `compose`, the gateway terminates TLS and proxies to the containers; in `knative`, it runs
 *   inside the cluster, and proxies to Knative's ingress, which finds and starts the functions
 */
export function caddyfile(where: 'compose' | 'knative'): string {
  // the first pattern that matches counts; in this order, literals come before parameters
  const rows = (Object.entries(operations) as [string, OperationRow][]).toSorted(([, a], [, b]) =>
    a.path < b.path ? -1 : 1,
  )
  const paths = [...new Set(rows.map(([, { path }]) => path))]
  const calls = paths.flatMap((path) => [
    ...rows
      .filter(([, row]) => row.path === path)
      .map(([name, { method }]) => {
        const methods = method === 'get' ? '(GET|HEAD)' : method.toUpperCase()
        return `"~^${methods} ${pattern(path)}$" ${name}`
      }),
    // what this path does not allow is not for a path with a parameter in its place
    ...(paths.some((other) => other !== path && new RegExp(`^${pattern(other)}$`).test(path))
      ? [`"~^\\S+ ${pattern(path)}$" ""`]
      : []),
  ])
  const allowed = paths.map((path) => {
    const methods = rows.filter(([, row]) => row.path === path).map(([, { method }]) => method.toUpperCase())
    if (methods.includes('GET')) methods.push('HEAD')
    return `"~^${pattern(path)}$" "${methods.toSorted().join(', ')}"`
  })
  return `# Generated from the domains' declarations by npm run generate (compose/caddyfile.ts).
${where === 'compose' ? composeOptions : knativeOptions}
# what every site has
(common) {
	@nameless not header_regexp X-Request-Id ^[A-Za-z0-9_.:-]{1,128}$
	@public not host localhost
	@docs path /docs /docs/*
	@api not path /docs /docs/* /_cache /_cache/*
	# pages of other origins: see CORS_ORIGINS
	@cors expression \`${isAllowedOrigin}\`
	@crossed expression \`"{$CORS_ORIGINS}" != ""\`

	import headers
	handle_errors {
		import headers
		import problems
	}
}

# what every answer has, also that to an error
(headers) {
	request_header @nameless X-Request-Id {http.request.uuid}
	header {
		defer
		X-Request-Id {http.request.header.X-Request-Id}
		X-Content-Type-Options nosniff
		X-Frame-Options DENY
		Referrer-Policy no-referrer
		-Server
		-Via
	}
	# not for localhost: it would apply to everything else that is served there
	header @public Strict-Transport-Security "max-age=31536000"
	header @api Content-Security-Policy "default-src 'none'; frame-ancestors 'none'"
	# Swagger UI uses inline styles and data: images
	header @docs Content-Security-Policy "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
	header @cors {
		defer
		Access-Control-Allow-Origin {http.request.header.Origin}
		Access-Control-Expose-Headers "${corsExposedHeaders}"
	}
	header @crossed {
		defer
		+Vary Origin
	}
}

(well-formed) {
	@odd not header_regexp Host ${hostPattern}
	error @odd 400
}

(problems) {
	header Content-Type application/problem+json
	header Cache-Control no-store
	# the function was sent half of a body, the rest of which is not as HTTP requires
	@chunk expression \`{err.status_code} == 502 && {err.message}.contains("chunk")\`
	handle @chunk {
		respond \`${gatewayProblemBody('malformed-request')}\` ${gatewayProblems['malformed-request'].status}
	}
${problems.map(problem).join('\n')}
	respond \`{"type":"about:blank","title":"{err.status_text}","status":{err.status_code}}\`
}

${where === 'compose' ? composeSite : knativeSite}
	log
	import common

	map "{method} {path}" {function} {
${lines(calls)}
		default ""
	}

	# the methods of each path
	map {path} {allow} {
${lines(allowed)}
		"~^(/|/docs(/.*)?|/openapi\\.json|/asyncapi\\.json)$" "GET, HEAD"
		default ""
	}

	encode {
		zstd
		gzip
		# event streams are left out: compression would hold events back
		match {
			header Content-Type application/json*
			header Content-Type application/problem+json*
			header Content-Type text/html*
			header Content-Type text/css*
			header Content-Type text/javascript*
			header Content-Type application/javascript*
		}
	}

	@longState header_regexp Tracestate .{${maxTracestate + 1}}
	route {
		import well-formed
		# only proxies and services may set these
${proxyHeaders.map((name) => `\t\trequest_header -${name}`).join('\n')}
		request_header @longState -Tracestate

		# Functions have their own, lower limits; this one rejects what no function would accept. What is read line by
		# line while it is answered (uploadMiB and streamSeconds of a row) is limited by the function alone.
		@whole not vars {function} ${uploads.map(([name]) => name).join(' ')}
		request_body @whole {
			max_size 1MB
		}

		# asks whether a page of another origin may send a request: no function is started for it
		@preflight expression \`{http.request.method} == "OPTIONS" && {http.request.header.Access-Control-Request-Method} != "" && {allow} != "" && ${isAllowedOrigin}\`
		handle @preflight {
			header Access-Control-Allow-Methods {allow}
			header Access-Control-Allow-Headers "${corsRequestHeaders}"
			header Access-Control-Max-Age ${preflightSeconds}
			respond 204
		}

${where === 'compose' ? more : ''}		@function expression \`{function} != ""\`
${where === 'compose' ? toContainers : toKnative}
		@pages {
			method GET HEAD
			path /docs /docs/* /openapi.json /asyncapi.json
		}
		handle @pages {
			rewrite /docs /docs/index.html
			root * /srv
			# it changes only with a new version of Swagger UI
			@lasting path /docs/swagger-ui*
			header @lasting Cache-Control "public, max-age=3600"
			@changing not path /docs/swagger-ui*
			header @changing Cache-Control no-cache
			file_server
		}

		@home {
			method GET HEAD
			path /
		}
		handle @home {
			@person header Accept *text/html*
			rewrite @person /home.html
			rewrite / /home.json
			root * /srv
			header Cache-Control no-cache
			header +Vary Accept
			file_server
		}

		@known expression \`{allow} != ""\`
		handle @known {
			header Allow {allow}
			error 405
		}

		error 404
	}
}

# its own metrics
${metricsSite}`
}

/** The operations that read their bodies line by line. */
const uploads = (Object.entries(operations) as [string, OperationRow][]).filter(
  ([, { uploadMiB }]) => uploadMiB !== undefined,
)

/** How long the longest of their bodies may take, in s. */
const longestUpload = Math.max(...uploads.map(([, { streamSeconds = 0 }]) => streamSeconds)) + 10

/** Whether a request's Origin is one of CORS_ORIGINS. Caddy fills them in when it reads the file. */
const isAllowedOrigin =
  '{http.request.header.Origin} != "" && ("{$CORS_ORIGINS}" == "*" || {http.request.header.Origin} in "{$CORS_ORIGINS}".replace(",", " ").split(" "))'

const logging = `	# without the tickets of event streams and the tokens of links and carts; Caddy itself leaves out Authorization and cookies
	log {
		format filter {
			request>uri query {
				replace ticket REDACTED
				replace token REDACTED
			}
			request>headers>Referer query {
				replace ticket REDACTED
				replace token REDACTED
			}
			request>headers>Cart-Token delete
			resp_headers>Cart-Token delete
		}
	}`

/** The setting that both gateways have. */
const balancers =
  '# TRUSTED_BALANCERS  the ranges of the load balancers in front of the gateway; none by default'

/** Its own metrics, on a port that is not published. The server has a name, so that its own requests can be left out. */
const metricsPort = 9180
const metricsOptions = `	metrics
	servers :${metricsPort} {
		name metrics
	}`
const metricsSite = `http://:${metricsPort} {
	metrics /metrics
}
`

const timeouts = `	servers {
		# no h3: its UDP port is not published
		protocols h1 h2
		# lines are answered while more of them arrive
		enable_full_duplex
		timeouts {
			read_header 10s
			# for bodies that are read line by line; functions end all others after 30 s
			read_body ${longestUpload}s
			idle 2m
		}
		# the client's address is the last in X-Forwarded-For that no balancer has
		trusted_proxies static {$TRUSTED_BALANCERS}
		trusted_proxies_strict`

const corsSetting = `# CORS_ORIGINS  the origins whose pages may call the shop, with commas or spaces between them, or *; none by default`

const composeOptions = `#
# SITE        the host to fetch a certificate for; by default localhost, with Caddy's own authority
# HTTP_PORT   the port that is published on the host
# HTTPS_PORT  likewise; redirects contain it
${corsSetting}
${balancers}

{
	http_port {$HTTP_PORT:8080}
	https_port {$HTTPS_PORT:8443}
	# the authority's certificate is in /data/caddy/pki/authorities/local
	skip_install_trust
	grace_period 8s
${logging}
${metricsOptions}
${timeouts}
	}
}
`

const composeSite = `# any other host
http://, https:// {
	import common
	route {
		import well-formed
		error 421
	}
}

http://{$SITE:localhost} {
	import common
	# Caddy's own redirect would not contain a port other than 443
	map "{$HTTPS_PORT:8443}" {tls_port} {
		443 ""
		default ":{$HTTPS_PORT:8443}"
	}
	route {
		redir https://{host}{tls_port}{uri} 308
	}
}

https://{$SITE:localhost} {`

const knativeOptions = `#
# NAMESPACE   the namespace of the functions
${corsSetting}
${balancers}

{
	# whatever routes requests into the cluster terminates TLS
	auto_https off
	grace_period 20s
${logging}
${metricsOptions}
${timeouts}
	}
}
`

const knativeSite = `:8080 {`

/** The pages of what is added to the shop, such as cache.caddy. */
const more = `		import extra/*.caddy

`

const toContainers = `		reverse_proxy @function {
			# The addresses of all containers of the function. A container that is replaced frees its address, and one of
			# another function may get it. So an address is used for less time than a container needs to start.
			dynamic a {function} 8080 {
				refresh 100ms
			}
			# not what the client sent before it
			header_up X-Forwarded-For {client_ip}
			lb_policy least_conn
			# waits for a function that is being replaced; a write that has been sent is never retried
			lb_try_duration 30s
			lb_try_interval 100ms
			transport http {
				# less than a second, when the kernel would try to connect again
				dial_timeout 500ms
				# less than how long a stopping function keeps idle connections (functions/shared/process/serve.ts)
				keepalive 1s
				response_header_timeout 60s
			}
		}
`

const toKnative = `		reverse_proxy @function {
			# Knative's ingress, which routes by the Host header
			dynamic a {function}.{$NAMESPACE}.svc.cluster.local 80 {
				refresh 10s
			}
			header_up Host {function}.{$NAMESPACE}.svc.cluster.local
			# not what the client sent before it
			header_up X-Forwarded-For {client_ip}
			# a write that has been sent is never retried
			lb_try_duration 10s
			lb_try_interval 100ms
			transport http {
				dial_timeout 2s
				keepalive 30s
				# longer than a cold start
				response_header_timeout 60s
			}
		}
`

/** The problems that Caddy itself returns. Each has a different status. */
const problems = [
  'malformed-request',
  'not-found',
  'method-not-allowed',
  'body-too-large',
  'misdirected-request',
  'bad-gateway',
  'function-unavailable',
  'gateway-timeout',
] as const satisfies GatewayProblemName[]

function problem(name: (typeof problems)[number]): string {
  const { status, ...rest } = gatewayProblems[name]
  const retryAfter = 'retryAfter' in rest ? `\n\t\theader Retry-After ${rest.retryAfter}` : ''
  return `\t@${status} expression \`{err.status_code} == ${status}\`
	handle @${status} {${retryAfter}
		respond \`${gatewayProblemBody(name)}\`
	}`
}

/** Converts an operation's path to a regular expression. */
export const pattern = (path: string) => path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')

const lines = (of: string[]) => of.map((line) => `\t\t${line}`).join('\n')
