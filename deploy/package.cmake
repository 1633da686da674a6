# The files of an installation, and the Debian package: `cpack` in the build folder, or deploy/package.
include(GNUInstallDirs)
set(PACKAGING ${CMAKE_CURRENT_LIST_DIR})
set(COMPRESSED ${CMAKE_BINARY_DIR}/compressed)

# Debian wants manuals and changelogs compressed, without a date in them.
function(compress SOURCE NAME)
    add_custom_command(OUTPUT ${COMPRESSED}/${NAME}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${COMPRESSED}
        COMMAND gzip -9nc ${SOURCE} > ${COMPRESSED}/${NAME}
        DEPENDS ${SOURCE} VERBATIM)
    add_custom_target(compressed-${NAME} ALL DEPENDS ${COMPRESSED}/${NAME})
endfunction()
compress(${PACKAGING}/man/learning-reviews.8 learning-reviews.8.gz)
compress(${PACKAGING}/debian/changelog changelog.gz)

install(TARGETS learning-reviews RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${COMPRESSED}/learning-reviews.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${PACKAGING}/completion/learning-reviews
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${PACKAGING}/debian/learning-reviews.service ${PACKAGING}/debian/learning-reviews-migrate.service
    DESTINATION lib/systemd/system)
install(FILES ${PACKAGING}/debian/sysusers.conf DESTINATION lib/sysusers.d RENAME learning-reviews.conf)
install(FILES README.md openapi.yaml ${PACKAGING}/debian/copyright ${COMPRESSED}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/learning-reviews)
install(FILES ${PACKAGING}/README.md ${PACKAGING}/CHANGELOG.md
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/learning-reviews/deploy)
install(FILES ${PACKAGING}/observability/dashboard.json ${PACKAGING}/observability/alerts.yml
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/learning-reviews/observability)
install(DIRECTORY ${PACKAGING}/backup DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/learning-reviews)
install(FILES ${PACKAGING}/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
    RENAME learning-reviews)
install(FILES ${PACKAGING}/debian/learning-reviews.conf ${PACKAGING}/debian/migrate.conf
    DESTINATION /etc/learning-reviews PERMISSIONS OWNER_READ OWNER_WRITE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME learning-reviews)
set(CPACK_PACKAGE_VENDOR "Learning Review Register")
set(CPACK_PACKAGE_CONTACT "Learning Review Register maintainers <maintainers@learning-reviews.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "register of learning reviews")
set(CPACK_PACKAGE_DESCRIPTION
    "A REST service that keeps the register of learning reviews of child protection
committees: referrals, cases, decisions and the actions that follow. Agencies
push referrals, committees take cases from stage to stage. The data is kept in
a PostgreSQL database, on this machine or another.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql (>= 15), bash-completion, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PACKAGING}/debian/postinst ${PACKAGING}/debian/prerm ${PACKAGING}/debian/postrm ${PACKAGING}/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
