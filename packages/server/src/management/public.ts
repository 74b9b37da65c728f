/**
 * Everything on the console listener that answers without a credential, method and pattern. All else is 401.
 * A test compares this list with the router.
 */
export const publicRoutes: readonly string[] = [
  'GET /',
  'GET /api/v1/openapi.json',
  'GET /api/docs',
  'GET /api/docs/static/*',
  'GET /api/docs/static/index.html',
  'GET /api/docs/static/swagger-initializer.js',
  'GET /api/docs/json',
  'GET /api/docs/yaml',
  'GET /docs/errors',
  'GET /docs/errors/:code',
]
