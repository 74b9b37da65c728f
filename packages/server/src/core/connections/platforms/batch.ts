import { getCall, secretField, setting, type Platform } from '../platform.ts'

/** Both headers and the catalog list: https://doc.batch.com/developer/api/cep/catalogs/list */
export const batch: Platform = {
  id: 'batch',
  name: 'Batch',
  fields: [
    setting('project_key', 'Project key', {
      pattern: /^project_[A-Za-z0-9]{1,100}$/,
      expects: 'the project key, which begins with project_',
      example: 'project_00000000000000000000000000000000',
    }),
    secretField('rest_api_key', 'REST API key', 'ffffffffffffffffffffffffffffffff'),
  ],
  places: () => [
    { in: 'bearer', field: 'rest_api_key' },
    { in: 'header', name: 'X-Batch-Project', prefix: '', field: 'project_key' },
  ],
  base: () => 'https://api.batch.com',
  check: getCall('/2.8/catalogs/list?limit=1'),
  rotation: {
    how: 'The dashboard shows the REST API key of the project. How it is replaced is not documented: ask Batch’s support first.',
    overlap: null,
  },
  sources: ['https://doc.batch.com/developer/api/cep/catalogs/list', 'https://doc.batch.com/developer/api/cep'],
}
