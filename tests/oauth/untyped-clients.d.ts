/** What is used here of clients that come without types. */
declare module 'simple-oauth2' {
  interface SimpleToken {
    readonly token: { readonly access_token: string }
    refresh(): Promise<SimpleToken>
    revoke(which: string): Promise<void>
  }

  export const ClientCredentials: new (config: object) => { getToken(parameters: object): Promise<SimpleToken> }
  export const AuthorizationCode: new (config: object) => {
    authorizeURL(parameters: object): string
    getToken(parameters: object): Promise<SimpleToken>
  }
}

declare module 'passport-oauth2' {
  type Verify = (access: string, refresh: string, profile: object, done: (error: null, user: object) => void) => void

  const exported: {
    readonly Strategy: new (options: object, verify: Verify) => { authenticate(req: object, options: object): void }
  }
  export default exported
}
