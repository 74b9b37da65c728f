/** Comes without types; what is used of it is said where it is used. */
declare module 'oidc-provider' {
  const Provider: new (issuer: string, configuration: object) => unknown
  export default Provider
  export const errors: { readonly InvalidTarget: new () => Error }
}
