// apart from the page, whose Content-Security-Policy lets no inline script run
SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true })
